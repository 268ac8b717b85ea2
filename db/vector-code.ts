// A vector in a few bits for each dimension. The number of bits in which two codes differ grows with the distance of the
// vectors, and Postgres counts them some hundred times faster than it multiplies arrays. It chooses candidates only.

/** Quartiles of a coordinate of unit vectors, times the root of the dimensions. */
const THRESHOLDS = [-0.6745, 0, 0.6745];

/** The code as a string of bits, for a column of type `bit varying`. Changing it orphans the codes that are stored. */
export function codeOf(vector: Float32Array): string {
  const scale = Math.sqrt(vector.length);
  let code = "";
  for (const coordinate of vector)
    for (const threshold of THRESHOLDS) code += coordinate * scale > threshold ? "1" : "0";
  return code;
}
