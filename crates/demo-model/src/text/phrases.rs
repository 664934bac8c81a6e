//! The sentences.

/// `{}` is the subject.
pub const OPENINGS: &[&str] = &[
    "Hello! I'm the offline demo model, so here is a sample answer about **{}** rather than knowledge.",
    "You asked about **{}**. I'm the offline demo model: what follows shows how an answer looks, not what is true.",
    "About **{}**: I'm the offline demo model, and I can show you the shape of an answer.",
    "Good question. I'm the offline demo model, and this is what I have to say about **{}**.",
];

pub const LEADS: &[&str] = &[
    "Three things that help with almost any subject:",
    "This is how I would go about it:",
    "What is worth keeping in mind:",
];

pub const POINTS: &[&str] = &[
    "**Start small.** Take one example and follow it from beginning to end.",
    "**Name the parts.** Say what each one is for, and what it leaves to the others.",
    "**Check the result.** Compare it with something that is known to be right.",
    "**Write it down.** A note made today saves a search next month.",
    "**Ask early.** Somebody nearby has probably met the same thing before.",
    "**Measure first.** What feels slow is often not what takes the time.",
    "**Change one thing.** Then you know what made the difference.",
    "**Stop in time.** Good enough and finished is better than perfect and late.",
];

pub const CLOSINGS: &[&str] = &[
    "A real model in my place would answer the same request with substance.",
    "Ask me for *a long answer* or for *300 words*, and I'll go on for longer.",
    "Every token of this answer was counted as a real one would be.",
];

pub const SENTENCES: &[&str] = &[
    "A sample text has one virtue: it is there when it is needed.",
    "It begins somewhere in the middle, as most explanations do.",
    "First comes what everybody knows, and then what only few have tried.",
    "The details differ from place to place, while the outline stays the same.",
    "Seen from far away, the whole looks simpler than any of its parts.",
    "Those who have done it before tend to make fewer steps, and slower ones.",
    "There is a short way and a long way, and the long one has the better view.",
    "Numbers help, as long as it is clear what they count.",
    "An example says more than a rule, and two examples say where the rule ends.",
    "What looks like an exception is often a second rule.",
    "It is worth asking who will read this in a year.",
    "The first attempt shows what the question should have been.",
    "Most of the work lies in deciding what to leave out.",
    "A good name makes half of the documentation unnecessary.",
    "When two answers contradict each other, the question had two meanings.",
    "Nothing here depends on the weather, although everything looks better in the sun.",
    "The beginning is easy to find, and the end is where the paper stops.",
    "Some prefer to read the last page first, and there is nothing wrong with that.",
    "What can be tried in a minute need not be discussed for an hour.",
    "The old way of doing it is still taught, because it still works.",
    "One can go on like this for a while, and this text does.",
    "Between two paragraphs there is room for a thought of one's own.",
    "Whoever has come this far knows how long a long answer is.",
    "And so the matter is settled, at least until somebody looks again.",
];
