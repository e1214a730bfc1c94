/**
 * Run after `npm install` has changed package-lock.json: forgets the optional dependencies (binaries for other platforms) that the registry did
 * not have when the lockfile was made. npm leaves them out of the lockfile, and `npm ci` then refuses a lockfile that lacks them.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))
const locked = (from, name) => `${from}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages

for (const [from, { optionalDependencies = {} }] of Object.entries(lock.packages))
  for (const name of Object.keys(optionalDependencies)) if (!locked(from, name)) delete optionalDependencies[name]

writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
