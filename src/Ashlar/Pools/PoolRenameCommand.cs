using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar pool rename</c>.</summary>
static class PoolRenameCommand
{
    public static Verb Create()
    {
        var name = PathArgument.Pool(isRequired: true);
        var newName = PoolArguments.NewName();
        var force = new Option<bool>("--force") { Description = "Rename also while clients are connected; they are cut off" };
        return new Verb(
            "rename",
            "Rename a pool, and so all of its volumes",
            ["ashlar pool rename fast slow"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new ChangePool { Name = invocation.Get(newName), Force = invocation.Get(force) };
                var pool = await client.ChangePoolAsync(invocation.Get(name), request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{invocation.Get(name)} is called {pool.Name} now");
                return ExitCode.Ok;
            })
        { name, newName, force };
    }
}
