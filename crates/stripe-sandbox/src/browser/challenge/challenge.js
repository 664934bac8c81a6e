// Joins the challenge to the overlay it is shown in. Without this script it is an ordinary form.
import { emit, embedded, reportHeight, serve } from './channel.js';

if (embedded) {
  serve({});
  reportHeight(document.querySelector('main'));
  if (document.body.dataset.answered === 'true') emit('answered');
  document.querySelector('button')?.focus();
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') emit('escape');
  });
}

document.querySelector('form')?.addEventListener('submit', ({ target }) => {
  // After the form's data has been gathered: a disabled button's value would be left out of it.
  setTimeout(() => target.querySelectorAll('button').forEach((button) => (button.disabled = true)));
});
