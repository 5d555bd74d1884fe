using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>Finds the server that a command talks to.</summary>
static class ServerLocator
{
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
            if (DataOwner.Of(directory) is { } owner)
            {
                var announced = AnnouncedServer.Of(directory);
                if (announced?.IsBy(owner) == true) return new(announced.Address, start, announced);
                // A disk that is full or fails; or a server that starts, or ends.
                var unsaid = $"{owner} may have {directory}, but run/server.json, which would say how to reach it, "
                    + (announced is null ? "is not there" : $"is of process {announced.ProcessId}");
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
            return DataOwner.Of(directory) is { } owner && AnnouncedServer.Of(directory)?.IsBy(owner) == true;
        }
        catch (StorageException)
        {
            return false;
        }
    }
}
