using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Server.Tests;

/// <summary>Takes a few HTTP requests, and answers each with the same when the test says what.</summary>
sealed class ScriptedServer : IDisposable
{
    const int MostRequests = 10;

    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly TaskCompletionSource<string> asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<string> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Task serving;

    readonly int status;

    public ScriptedServer(int status = 200)
    {
        this.status = status;
        listener.Start();
        Url = $"http://{listener.LocalEndpoint}";
        serving = ServeAsync();
    }

    public string Url { get; }

    /// <summary>The first line of the request, when it has come.</summary>
    public Task<string> Asked => asked.Task;

    /// <summary>How many requests have come.</summary>
    public int RequestCount { get; private set; }

    public void Answer(string json) => answer.TrySetResult(json);

    public void Dispose()
    {
        answer.TrySetCanceled();
        listener.Dispose();
    }

    async Task ServeAsync()
    {
        while (RequestCount < MostRequests) await ServeOneAsync();
        listener.Stop();
    }

    async Task ServeOneAsync()
    {
        using var client = await listener.AcceptTcpClientAsync();
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        var first = await reader.ReadLineAsync();
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
        }

        RequestCount++;
        asked.TrySetResult(first!);
        var body = Encoding.UTF8.GetBytes(await answer.Task);
        var head = $"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
        await client.GetStream().WriteAsync(body);
    }
}
