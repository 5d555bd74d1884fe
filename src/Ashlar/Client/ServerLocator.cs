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
    public static LocatedServer Find(Invocation invocation)
    {
        if (invocation.Get(invocation.Global.Server) is { } named) return new(named);
        var data = invocation.Get(invocation.Global.Data);
        var directory = DataDirectories.Resolve(data, invocation.Terminal);
        if (ReadRunFile(directory) is { } running) return new(running);
        if (DataOwner.Of(directory) is { } owner)
        {
            // A disk that is full or fails; or a server that starts, or ends.
            var unsaid = $"{owner} may have {directory}, but run/server.json, which would say how to reach it, is not there";
            if (data is null) return new(Default, $"{unsaid}: {DataOwner.Advice}");
            throw new CommandException(ExitCode.Unreachable, ProblemTypes.Unavailable, unsaid, DataOwner.Advice);
        }
        if (data is null) return new(Default);
        throw new CommandException(
            ExitCode.Unreachable, ProblemTypes.Unavailable, $"no server runs on {directory}", $"ashlar up --data {data}");
    }

    /// <summary>Whether a server has said in its data directory how to reach it.</summary>
    public static bool IsAnnounced(string directory) => ReadRunFile(directory) is not null;

    static Uri? ReadRunFile(string directory)
    {
        var path = $"{directory}/run/server.json";
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
