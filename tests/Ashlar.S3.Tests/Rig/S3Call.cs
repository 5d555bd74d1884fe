using System.Text;

namespace Ashlar.S3.Tests;

/// <summary>A request that a test makes, changes and signs.</summary>
sealed record S3Call(string Method, string Path)
{
    /// <summary>Names and values of the query, in their order, not encoded.</summary>
    public IReadOnlyList<(string Name, string Value)> Query { get; init; } = [];

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public byte[] Body { get; init; } = [];

    /// <summary>The target as it is sent, where it is to be another than path and query make.</summary>
    public string? RawTarget { get; init; }

    /// <summary>Whether the body is sent with its length.</summary>
    public bool HasLength { get; init; } = true;

    public string Target => RawTarget ?? TestSigner.Encode(Path, true) + (Query.Count == 0 ? "" : "?" + string.Join('&', Query.Select(
        parameter => TestSigner.Encode(parameter.Name, false) + "=" + TestSigner.Encode(parameter.Value, false))));

    public S3Call With(string header, string value) =>
        this with { Headers = [.. Headers.Where(one => one.Name != header), (header, value)] };

    public S3Call Ask(string name, string value = "") => this with { Query = [.. Query, (name, value)] };

    public S3Call Send(byte[] body) => this with { Body = body };

    public S3Call Send(string body) => this with { Body = Encoding.UTF8.GetBytes(body) };

    public string? Header(string name) =>
        Headers.Where(one => one.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(one => one.Value).FirstOrDefault();

    /// <summary>As it goes over the wire.</summary>
    public byte[] ToBytes()
    {
        var head = new StringBuilder($"{Method} {Target} HTTP/1.1\r\n");
        foreach (var (name, value) in Headers) head.Append($"{name}: {value}\r\n");
        if (HasLength && Header("Content-Length") is null && (Body.Length > 0 || Method is "PUT" or "POST")) head.Append(
            $"Content-Length: {Body.Length}\r\n");
        return [.. Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()), .. Body];
    }
}
