// How the embedded mode speaks to the person at the terminal: one plain line at a time.

export type Say = (line: string) => void;

/** Prints one line. */
export const sayOnTerminal: Say = (line) => {
  console.log(line);
};
