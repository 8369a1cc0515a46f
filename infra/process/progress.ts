/** Says something to the person who waits. */
export type Progress = (line: string) => void;
