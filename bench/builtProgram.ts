/** Programs that the benchmarks start. */
import { fileURLToPath } from 'node:url'

/** @param path below dist-bench/. The bundle that holds this file lies in one of the folders there. */
export const builtProgram = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
