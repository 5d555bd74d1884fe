using System.Text.Json;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>Finds the server that a command talks to.</summary>
static class ServerLocator
{
    const int MaxRunFileBytes = 4096;

    static readonly Uri Default = new("http://127.0.0.1:9001");

    /// <summary>
    /// The server that <c>--server</c> or ASHLAR_SERVER names; or else the one that runs on the data directory; or else, where
    /// no data directory was named, the one on the default port.
    /// </summary>
    public static Uri Find(Invocation invocation)
    {
        if (invocation.Get(invocation.Global.Server) is { } named) return named;
        var data = invocation.Get(invocation.Global.Data);
        var directory = DataDirectories.Resolve(data, invocation.Terminal);
        if (ReadRunFile($"{directory}/run/server.json") is { } running) return running;
        if (data is null) return Default;
        throw new CommandException(
            ExitCode.Unreachable, ProblemTypes.Unavailable, $"no server runs on {directory}", $"ashlar up --data {data}");
    }

    static Uri? ReadRunFile(string path)
    {
        try
        {
            if (!FileSystems.Real.FileExists(path)) return null;
            using var file = FileSystems.Real.Open(path, FileOpenMode.ReadOnly);
            var bytes = new byte[MaxRunFileBytes];
            var running = JsonSerializer.Deserialize(bytes.AsSpan(0, file.Read(bytes, 0)), ApiJson.Strict.RunningServer);
            return Uri.TryCreate(running?.Api, UriKind.Absolute, out var uri) ? uri : null;
        }
        catch (Exception e) when (e is StorageException or JsonException)
        {
            // Only a convenience: without it the default port is tried.
            return null;
        }
    }
}
