using System.Globalization;
using System.Text;

namespace Ashlar.Files.Bench;

/// <summary>A way to files over HTTP: S3, the REST API, or the plain web server.</summary>
/// <param name="Name">What rows call it.</param>
/// <param name="Port">Where it listens.</param>
/// <param name="Server">The process that serves.</param>
/// <param name="Path">The path in front of names.</param>
/// <param name="Headers">What a request needs: of method, path, query and the hash of its body.</param>
sealed record Door(string Name, int Port, ServerProcess Server, string Path, Func<string, string, string, string, string> Headers)
{
    public const string Bucket = "bench";

    public static Door Rest(ServerProcess server) => new(
        "REST", server.ApiPort, server, $"/v1/customers/main/files/{Bucket}/", (_, _, _, _) => $"Authorization: Bearer {server.Key}\r\n");

    public static Door S3(ServerProcess server)
    {
        var key = server.Key.Split(':');
        var signer = new S3Signer(key[0], key[1]);
        return new(
            "S3", server.S3Port, server, $"/{Bucket}/",
            (method, path, query, payload) => signer.Sign(method, path, query, server.S3Port, payload));
    }

    public static Door Plain(ServerProcess server) => new("plain Kestrel", server.ApiPort, server, "/", (_, _, _, _) => "");

    public HttpConnection Connect() => new(Port);

    public void Put(HttpConnection connection, string name, Stream content, string payload = S3Signer.Unsigned) =>
        Require(connection.Ask("PUT", Path + name, Headers("PUT", Path + name, "", payload), content), name);

    /// <returns>Bytes that came.</returns>
    public long Get(HttpConnection connection, string name, (long Offset, int Length)? range = null)
    {
        var headers = Headers("GET", Path + name, "", S3Signer.Unsigned);
        if (range is { } part)
            headers += string.Create(CultureInfo.InvariantCulture, $"Range: bytes={part.Offset}-{part.Offset + part.Length - 1}\r\n");
        return Require(connection.Ask("GET", Path + name, headers, keeps: false), name).BodyBytes;
    }

    /// <summary>Asks for what has another path.</summary>
    public HttpAnswer Ask(HttpConnection connection, string method, string path, string query = "")
    {
        var target = query.Length == 0 ? path : $"{path}?{query}";
        return Require(connection.Ask(method, target, Headers(method, path, query, S3Signer.Unsigned)), target);
    }

    HttpAnswer Require(HttpAnswer answer, string what) => answer.Status is >= 200 and < 300
        ? answer
        : throw new IOException($"{Name}: {what}: status {answer.Status}: {Encoding.UTF8.GetString(answer.Body.Span)}");
}
