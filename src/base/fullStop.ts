/** The end of a sentence: an error's message may have one or not, and what is said after it begins a new one. */
export const fullStop = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)
