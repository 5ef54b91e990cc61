export default { server: { host: "127.0.0.1", strictPort: true } };
