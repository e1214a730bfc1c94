/** The product's version, as nodes send it to each other and `-V` prints it. */
import { createRequire } from 'node:module'

// By the package's own name: in a bundle this file stands elsewhere.
const parsed: unknown = createRequire(import.meta.url)('muster/package.json')

export const productVersion: string =
  typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string' ? parsed.version : '0.0.0'
