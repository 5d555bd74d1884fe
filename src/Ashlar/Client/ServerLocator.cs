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
        var lines = invocation.CommandLines;
        if (invocation.Get(invocation.Global.Server) is { } named) return new(named, $"start one with: {lines.Of("up")}");
        var data = invocation.Get(invocation.Global.Data);
        var directory = DataDirectories.Resolve(data, invocation.Terminal);
        var start = $"start one with: {lines.Of("up")}{(data is null ? "" : $" --data {ShellWord.Quote(data)}")}";
        try
        {
            if (ReadRunFile(directory) is { } running) return new(running, start);
            if (DataOwner.Of(directory) is { } owner)
            {
                // A disk that is full or fails; or a server that starts, or ends.
                var unsaid = $"{owner} may have {directory}, but run/server.json, which would say how to reach it, is not there";
                if (data is null) return new(Default, $"{unsaid}: {DataOwner.Advice}");
                throw new CommandException(ExitCode.Unreachable, ProblemTypes.Unavailable, unsaid, DataOwner.Advice);
            }
        }
        catch (StorageException e) when (e.Kind == StorageErrorKind.AccessDenied)
        {
            // Without a directory that was named the default port may still lead to a server.
            var denied = $"permission denied: this user may not look into {directory}";
            const string advice = "run the command as the user of the server, or name the server by --server";
            if (data is null) return new(Default, $"{denied}: {advice}");
            throw new CommandException(ExitCode.PermissionDenied, ProblemTypes.PermissionDenied, denied, advice);
        }
        if (data is null) return new(Default, start);
        throw new CommandException(ExitCode.Unreachable, ProblemTypes.Unavailable, $"no server runs on {directory}", start);
    }

    /// <summary>Whether a server has said in its data directory how to reach it.</summary>
    public static bool IsAnnounced(string directory)
    {
        try
        {
            return ReadRunFile(directory) is not null;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    // Only a convenience: without it the default port is tried. But that this user may not look is worth to be told.
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
        catch (StorageException e) when (e.Kind != StorageErrorKind.AccessDenied)
        {
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
