using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot rename</c>.</summary>
static class SnapshotRenameCommand
{
    public static Verb Create()
    {
        var path = SnapshotArguments.One();
        var name = new Argument<string>("NAME") { Description = "The new name, of the same volume" };
        return new Verb(
            "rename",
            "Give a snapshot another name",
            ["ashlar snapshot rename vm1@monday before-upgrade"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var snapshot = await client.RenameSnapshotAsync(invocation.Get(path), invocation.Get(name), cancellationToken);
                invocation.WriteChange(snapshot, ApiJson.Strict.Snapshot, [SnapshotScreens.PathOf(snapshot)], (writer, _) =>
                    writer.WriteLine($"{invocation.Get(path)} is {SnapshotScreens.PathOf(snapshot)} now"));
                return ExitCode.Ok;
            })
        { path, name };
    }
}
