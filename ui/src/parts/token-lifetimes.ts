/** How long a token may be made to last; what the server allows is less where its settings say so. */
export const tokenLifetimes = [7, 30, 90, 180, 365].map((days) => ({
  value: String(days),
  word: `${String(days)} days`,
}));

export const usualLifetime = "90";
