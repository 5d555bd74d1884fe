using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Ashlar.Server.Tests.Files;

/// <summary>Tests of files over HTTP: each has a server of its own, and the key that its first start made.</summary>
public abstract class ServedFiles : IAsyncLifetime
{
    private protected const string Files = "/v1/customers/main/files";

    private protected RunningProgram Server { get; private set; } = null!;

    private protected HttpClient Http { get; private set; } = null!;

    private protected string Key { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Server = await RunningProgram.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri(Server.Status.Endpoints.Api) };
        Key = (await File.ReadAllTextAsync($"{Server.Data}/files/key")).Trim();
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }

    private protected Task<Answer> SendAsync(HttpMethod method, string url, HttpContent? body = null, params (string, string)[] headers) =>
        SendAsync(Key, method, url, body, headers);

    private protected async Task<Answer> SendAsync(
        string? key, HttpMethod method, string url, HttpContent? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, url) { Content = body };
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in headers)
            if (!request.Headers.TryAddWithoutValidation(name, value)) body!.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request);
        var content = await response.Content.ReadAsByteArrayAsync();
        var all = response.Headers.Concat(response.Content.Headers).Concat(response.TrailingHeaders)
            .ToDictionary(each => each.Key, each => string.Join(", ", each.Value), StringComparer.OrdinalIgnoreCase);
        return new(response.StatusCode, content, all);
    }

    private protected Task<Answer> PutAsync(string path, byte[] content, params (string, string)[] headers) =>
        SendAsync(HttpMethod.Put, $"{Files}{path}", new ByteArrayContent(content), headers);

    private protected Task<Answer> ActAsync(string path, string action) =>
        SendAsync(HttpMethod.Post, $"{Files}{path}", Json(action));

    private protected Task<Answer> MakeAsync(string path) => ActAsync(path, """{"action":"createDirectory"}""");

    private protected static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    /// <summary>Sends a request line as it stands, which no client library does.</summary>
    private protected async Task<string> SendRawAsync(string method, string target, string body = "")
    {
        var endpoint = new Uri(Server.Status.Endpoints.Api);
        using var socket = new TcpClient();
        await socket.ConnectAsync(endpoint.Host, endpoint.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(
            $"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {Key}\r\nConnection: close\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n{body}"));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    /// <summary>All that is in the tree of the first customer.</summary>
    private protected async Task<string[]> TreeAsync()
    {
        var listing = await SendAsync(HttpMethod.Get, $"{Files}?recursive=true");
        Assert.Equal(HttpStatusCode.OK, listing.Status);
        return [.. listing.Body.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("path").GetString()!)];
    }

    private protected sealed record Answer(HttpStatusCode Status, byte[] Content, IReadOnlyDictionary<string, string> Headers)
    {
        public string Text => Encoding.UTF8.GetString(Content);

        public JsonElement Body => JsonDocument.Parse(Content).RootElement;

        public string Problem => Body.GetProperty("type").GetString()!["urn:ashlar:problem:".Length..];
    }
}
