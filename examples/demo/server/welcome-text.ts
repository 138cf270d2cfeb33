/** What the shared document starts with. */
export const WELCOME_TEXT = `Write here together
===================

Open this page in a second tab and type in both, on the same line if you like. Every edit goes to the server, which puts all of them in one order and makes each follow the others. Both tabs end up with the same text, and nobody's words are lost.

Then cut the line, go on typing, and watch the edits merge when it is back.

Shopping list
- two fuses, 10 A
- copper wire
- 
`
