/** How often the properties run that take longest. */
const isLong = process.env['LONG_PROOFS'] !== undefined

/** `npm test` makes a quarter of these runs, `npm run test:long` all of them. */
export const runs = (all: number): number => (isLong ? all : Math.ceil(all / 4))
