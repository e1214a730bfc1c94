/** Bounds on JSON that are checked before it is parsed: what nests deep or has very many values costs many times its bytes. */

export interface JsonBounds {
  /** Of objects and lists in each other. */
  readonly depthMax: number
  /** Of objects, lists and what stands between commas. */
  readonly valuesMax: number
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Of what is not JSON it says nothing that matters. */
export const isJsonWithin = (text: string, { depthMax, valuesMax }: JsonBounds): boolean => {
  let depth = 0
  let values = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === quote) at = endOfString(text, at)
    else if (char === openBracket || char === openBrace) {
      depth += 1
      values += 1
      if (depth > depthMax || values > valuesMax) return false
    } else if (char === closeBracket || char === closeBrace) depth -= 1
    else if (char === comma && ++values > valuesMax) return false
  }
  return true
}

/** The place of the closing quote of the string that begins here, or the end of the text. */
export const endOfString = (text: string, from: number): number => {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1
    if (backslashes % 2 === 0) return at
  }
  return text.length
}
