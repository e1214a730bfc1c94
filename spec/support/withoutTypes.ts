/** A source as JavaScript, for programs that specs compile: a hundred times as fast as the compiler, which checks its types elsewhere. */
import { readFileSync } from 'node:fs'
import { transformSync } from 'rolldown/utils'

export const withoutTypes = (file: string): string => {
  const { code, errors } = transformSync(file, readFileSync(file, 'utf8'), {
    target: 'es2023',
    typescript: { onlyRemoveTypeImports: true },
  })
  if (errors.length > 0) throw new Error(`${file} cannot be compiled: ${errors.map(({ message }) => message).join('; ')}`)
  return code
}
