/** Says something to the person who waits. */
export type ProgressReporter = (line: string) => void;
