#!/usr/bin/env node
/** Writes the shells' completions of all programs into the two directories that are named: of bash and of zsh. For packaging/build.sh. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLines } from '../programs/completions/commandLines.js'
import { bashCompletion, zshCompletion } from '../programs/completions/completionOf.js'

const [, , bashDirectory = '.', zshDirectory = '.'] = process.argv
for (const program of commandLines()) {
  writeFileSync(join(bashDirectory, program.name()), bashCompletion(program))
  writeFileSync(join(zshDirectory, `_${program.name()}`), zshCompletion(program))
}
