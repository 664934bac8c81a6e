// The 3D Secure overlay: the sandbox's own page, in a dialog over the application's.

/**
 * Shows the challenge of `intent` and resolves once it has been answered. Escape and the close button
 * count as failing it. What came of it is on the intent: fetch it afterwards.
 * @param {Stripe} stripe
 * @param {Intent} intent
 * @returns {Promise<void>}
 */
function showChallenge(stripe, intent) {
  return new Promise((resolve) => {
    const path = new URL(`/3d_secure/${encodeURIComponent(intent.id)}`, SANDBOX_ORIGIN);
    path.searchParams.set('client_secret', intent.client_secret);
    path.searchParams.set('view', 'frame');
    const frame = new Frame(path.href, { title: '3D Secure authentication' });
    const dialog = buildDialog(frame.node);
    let over = false;

    /** @param {boolean} answered */
    const finish = async (answered) => {
      if (over) return;
      over = true;
      if (!answered) {
        await stripe.controller().call('failChallenge', { id: intent.id, clientSecret: intent.client_secret });
      }
      dialog.dispose();
      document.documentElement.style.overflow = dialog.pageOverflow;
      frame.listener = () => {};
      frame.remove();
      resolve();
    };

    frame.listener = (event, detail) => {
      if (event === 'answered') finish(true);
      if (event === 'escape') finish(false);
      if (event === 'resize') setStyle(frame.node, { height: `${Math.ceil(detail.height)}px` });
      if (event === 'loaderror') dialog.showError(detail.error.message);
    };
    dialog.close.addEventListener('click', () => finish(false));
    dialog.node.addEventListener('cancel', (event) => {
      event.preventDefault();
      finish(false);
    });

    document.body.append(dialog.node);
    document.documentElement.style.overflow = 'hidden';
    // showModal puts it above everything, makes the rest of the page inert, and gives focus back afterwards.
    dialog.node.showModal();
    frame.node.focus();
    if (!window.matchMedia('(prefers-reduced-motion: reduce)').matches) {
      dialog.node.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 160, easing: 'ease-out' });
    }
  });
}

/** @param {HTMLIFrameElement} frameNode */
function buildDialog(frameNode) {
  const node = document.createElement('dialog');
  node.setAttribute('aria-label', '3D Secure authentication');
  setStyle(node, {
    position: 'fixed', inset: '0', width: '100%', height: '100%', maxWidth: 'none', maxHeight: 'none', margin: '0',
    padding: '16px', border: '0', boxSizing: 'border-box', display: 'flex', alignItems: 'center',
    justifyContent: 'center', background: 'rgba(9, 11, 17, 0.62)', overflow: 'auto',
  });

  const card = document.createElement('div');
  setStyle(card, {
    position: 'relative', width: '100%', maxWidth: '440px', maxHeight: '100%', borderRadius: '12px', overflow: 'auto',
    boxShadow: '0 24px 64px rgba(0, 0, 0, 0.35), 0 2px 8px rgba(0, 0, 0, 0.2)',
  });
  setStyle(frameNode, {
    display: 'block', width: '100%', height: '340px', border: '0',
  });

  const close = document.createElement('button');
  close.type = 'button';
  close.setAttribute('aria-label', 'Close and cancel authentication');
  close.textContent = '✕';
  setStyle(close, {
    position: 'absolute', top: '10px', right: '10px', width: '32px', height: '32px', padding: '0', border: '0',
    borderRadius: '8px', background: 'transparent', cursor: 'pointer',
    font: '500 15px/32px system-ui, sans-serif', textAlign: 'center',
  });

  // The page inside follows the scheme of its frame, so they change together.
  const paint = () => {
    const dark = DARK_MODE.matches;
    const colorScheme = dark ? 'dark' : 'light';
    const background = dark ? '#17181c' : '#ffffff';
    setStyle(node, { colorScheme });
    setStyle(card, { background, color: dark ? '#eceef4' : '#1a1c23' });
    setStyle(frameNode, { background, colorScheme });
    setStyle(close, { color: dark ? '#c3c6d1' : '#4a4f5c' });
  };
  paint();
  DARK_MODE.addEventListener('change', paint);

  card.append(frameNode, close);
  node.append(card);
  return {
    node,
    close,
    dispose() {
      DARK_MODE.removeEventListener('change', paint);
      node.close();
      node.remove();
    },
    pageOverflow: document.documentElement.style.overflow,
    /** @param {string} message */
    showError(message) {
      const note = document.createElement('p');
      note.setAttribute('role', 'alert');
      note.textContent = message;
      setStyle(note, {
        margin: '0', padding: '48px 24px 32px', font: '400 15px/1.5 system-ui, sans-serif',
      });
      frameNode.replaceWith(note);
      close.focus();
    },
  };
}
