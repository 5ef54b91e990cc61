// The browser sees one origin, so that the session's cookie goes along. changeOrigin would give the API another Host than
// the page's; a target that is a string, and not an object, turns it on.
export default {
  server: {
    host: "127.0.0.1",
    strictPort: true,
    proxy: { "/api": { target: process.env.API ?? "http://127.0.0.1:8080", changeOrigin: false } },
  },
};
