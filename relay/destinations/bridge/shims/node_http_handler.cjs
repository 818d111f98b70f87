// Stands for `@smithy/node-http-handler`: how the AWS clients send requests. `host` is given to the bundle.
class NodeHttpHandler {
  static create(given) {
    return typeof given?.handle === "function" ? given : new NodeHttpHandler();
  }

  async handle(request) {
    return { response: await host.handle(request) };
  }

  updateHttpClientConfig() {}

  httpHandlerConfigs() {
    return {};
  }

  destroy() {}
}

const streamCollector = async (body) => body; // it was read to its end

module.exports = { NodeHttpHandler, NodeHttp2Handler: NodeHttpHandler, streamCollector, DEFAULT_REQUEST_TIMEOUT: 0 };
