/** The program of a thread that runs simulated clusters, one after the other. */
import { type SimulateOptions, type SimulationReport, simulate } from './simulate.js'

export default (options: SimulateOptions): Promise<SimulationReport> => simulate(options)
