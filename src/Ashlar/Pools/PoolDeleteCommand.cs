using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar pool delete</c>.</summary>
static class PoolDeleteCommand
{
    public static Verb Create()
    {
        var name = PathArgument.Pool(isRequired: true);
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var force = new Option<bool>("--force")
        {
            Description = "Delete also with volumes on it, while clients are connected, or where it is not available",
        };
        var verb = new Verb(
            "delete",
            "Delete a pool and everything on it",
            ["ashlar pool delete fast", "ashlar pool rm fast --force --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var pool = await client.GetPoolAsync(invocation.Get(name), cancellationToken);
                await invocation.ConfirmAsync(Question(pool), invocation.Get(yes), cancellationToken);
                await client.DeletePoolAsync(pool.Name, invocation.Get(force), cancellationToken);
                invocation.WriteChange(pool, ApiJson.Strict.Pool, [pool.Name], (writer, _) => writer.WriteLine($"{pool.Name} is deleted"));
                return ExitCode.Ok;
            })
        { name, yes, force };
        verb.Aliases.Add("rm");
        return verb;
    }

    static string Question(Pool pool) => pool switch
    {
        { State: not PoolStates.Available } => $"Forget pool {pool.Name}, which is {pool.State}?",
        { VolumeCount: 0 } => $"Delete pool {pool.Name}, which is empty?",
        { VolumeCount: var count } => $"Delete pool {pool.Name}, {(count == 1 ? "1 volume" : $"{count} volumes")} and the "
            + $"{ByteSize.Format(pool.AllocatedBytes)} on {(count == 1 ? "it" : "them")}?",
    };
}
