using Ashlar.Api;
using Ashlar.Server;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar pool verify --offline</c>: without a server. Apart from the others, which load nothing of the server.</summary>
static class OfflineVerification
{
    public static async Task<ExitCode> RunAsync(Invocation invocation, string pool, CancellationToken cancellationToken)
    {
        var time = invocation.Terminal.TimeProvider;
        var options = new ServerOptions
        {
            DataDirectory = DataDirectories.Resolve(invocation.Get(invocation.Global.Data), invocation.Terminal),
            FileSystem = FileSystems.Real,
            TimeProvider = time,
        };
        var startedAt = time.GetUtcNow();
        var found = await OfflinePools.VerifyAsync(options, pool, cancellationToken)
            ?? throw new CommandException(
                ExitCode.NotFound, ProblemTypes.PoolNotFound, $"there is no pool {pool} in {options.DataDirectory}");
        TaskScreens.Write(invocation, new()
        {
            Id = "offline",
            Type = "verify",
            Pool = pool,
            State = TaskStates.Done,
            StartedAt = startedAt,
            EndedAt = time.GetUtcNow(),
            Findings = found.Problems,
        });
        return found.IsClean ? ExitCode.Ok : ExitCode.Damaged;
    }
}
