/** The product's version, as nodes send it to each other and `-V` prints it. */
import { readFileSync } from 'node:fs'

const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

export const productVersion: string =
  typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string' ? parsed.version : '0.0.0'
