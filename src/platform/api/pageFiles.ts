/**
 * The files of the web page, read once when the service starts: a request is answered out of this table, and no path of a URL ever
 * reaches the disk.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface PageFile {
  readonly contentType: string
  readonly etag: string
  readonly bytes: Buffer
}

/** Where the build puts them. By the package's own name: in a bundle this file stands elsewhere. */
const builtPage = (): string => join(dirname(createRequire(import.meta.url).resolve('muster/package.json')), 'dist/page')

/** By the path below the page's own, of its files the content type; the page itself has no name. */
const contentTypes = {
  '': ['index.html', 'text/html; charset=utf-8'],
  'page.js': ['page.js', 'text/javascript; charset=utf-8'],
  'page.css': ['page.css', 'text/css; charset=utf-8'],
  'icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

/** Throws when one of them is missing: the package is not whole then. */
export const readPageFiles = (directory = builtPage()): ReadonlyMap<string, PageFile> =>
  new Map(
    Object.entries(contentTypes).map(([path, [file, contentType]]) => {
      const bytes = readFileSync(join(directory, file))
      return [path, { contentType, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`, bytes }]
    }),
  )
