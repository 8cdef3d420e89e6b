/** An error that escapes its owner fails the test run instead of passing by unseen. */
process.on("uncaughtException", (error) => {
  throw error;
});
