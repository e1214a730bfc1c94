/** Bytes as Python shows them: Wazuh's answers to commands that it does not know have them. */

const named: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const isShown = (char: string): boolean => char >= ' ' && char <= '~'

/** `b'echo\x00'`, of one character for each byte. */
export const bytesText = (latin1: string): string => {
  const quote = latin1.includes("'") && !latin1.includes('"') ? '"' : "'"
  const shown = [...latin1].map((char) => {
    if (char === quote) return `\\${char}`
    return named[char] ?? (isShown(char) ? char : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  })
  return `b${quote}${shown.join('')}${quote}`
}
