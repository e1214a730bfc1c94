/** Texts as a shell reads them back. */

export const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Quoted only where a shell needs it. */
export const shellWord = (text: string): string => (/^[\w./:@%+=,-]+$/.test(text) ? text : shellQuoted(text))
