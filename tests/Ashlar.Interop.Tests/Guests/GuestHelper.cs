using System.Net;
using System.Net.Sockets;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// Does for a guest what only its host can: a connection sends a word and a line feed, and is answered "done" when that is done.
/// </summary>
sealed class GuestHelper : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);

    /// <summary>Begins to listen.</summary>
    /// <param name="deeds">What there is to be done, by its word.</param>
    public GuestHelper(IReadOnlyDictionary<string, Action> deeds)
    {
        listener.Start();
        _ = ServeAsync(deeds);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public void Dispose() => listener.Dispose();

    async Task ServeAsync(IReadOnlyDictionary<string, Action> deeds)
    {
        while (true)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync();
                using var reader = new StreamReader(client.GetStream());
                var answer = await DoAsync(deeds, await reader.ReadLineAsync() ?? "");
                await client.Client.SendAsync(System.Text.Encoding.UTF8.GetBytes(answer + "\n"));
            }
            catch (IOException)
            {
                // The guest has gone away meanwhile.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    static async Task<string> DoAsync(IReadOnlyDictionary<string, Action> deeds, string word)
    {
        if (!deeds.TryGetValue(word, out var deed)) return $"there is no '{word}'";
        try
        {
            await Task.Run(deed);
            return "done";
        }
        catch (Exception e)
        {
            return e.Message.ReplaceLineEndings(" ");
        }
    }
}
