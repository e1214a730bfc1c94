/**
 * Text that others chose (file names, error messages, versions), made safe to show: nothing in it moves the cursor, starts
 * an escape sequence, breaks the line or turns the direction of writing.
 */

/** Control, format (zero width, direction), line and paragraph separators, lone surrogates. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const unsafeOrBackslash = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/gu
const ascii = /^[\x20-\x7e]*$/
const plain = /^[\x20-\x5b\x5d-\x7e]*$/

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }

const escaped = (character: string): string => {
  const known = named[character]
  if (known) return known
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** A sentence on one line of visible characters; texts in it that were escaped already stay as they are. */
export const visibleLine = (sentence: string): string => (ascii.test(sentence) ? sentence : sentence.replace(unsafe, escaped))

/** One line of visible characters; different texts stay different. */
export const escapeText = (text: string): string => (plain.test(text) ? text : text.replace(unsafeOrBackslash, escaped))

const utf16 = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

/** JSON with the same characters escaped as JSON has it; `indent` spaces a level. */
export const safeJson = (value: unknown, indent = 0): string =>
  indent === 0
    ? safeLine(JSON.stringify(value))
    : JSON.stringify(value, null, indent).replace(unsafe, (character) => (character === '\n' ? character : utf16(character)))

/** Most lines have nothing to escape, and searching for it by Unicode's properties takes longer than all the rest. */
const safeLine = (json: string): string => (ascii.test(json) ? json : json.replace(unsafe, utf16))
