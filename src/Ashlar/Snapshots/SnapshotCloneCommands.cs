using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot clone</c> and <c>ashlar snapshot flatten</c>.</summary>
static class SnapshotCloneCommands
{
    public static Verb CreateClone()
    {
        var path = SnapshotArguments.One();
        var name = new Argument<string>("NAME") { Description = "The new volume, in the same pool" };
        return new Verb(
            "clone",
            "Create a volume that begins as a snapshot is, at once and without copying",
            ["ashlar snapshot clone vm1@monday vm2"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var clone = await client.CloneSnapshotAsync(invocation.Get(path), invocation.Get(name), cancellationToken);
                invocation.WriteChange(clone, ApiJson.Strict.Volume, [VolumeScreens.PathOf(clone)], (writer, _) =>
                    writer.WriteLine($"{VolumeScreens.PathOf(clone)} is created as a clone of {invocation.Get(path)}"));
                return ExitCode.Ok;
            })
        { path, name };
    }

    public static Verb CreateFlatten()
    {
        var path = PathArgument.Volume();
        return new Verb(
            "flatten",
            "Give a clone everything that it shares as its own, so that its snapshot can go",
            ["ashlar snapshot flatten vm2"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var flat = await client.FlattenAsync(invocation.Get(path), cancellationToken);
                invocation.WriteChange(flat, ApiJson.Strict.Volume, [VolumeScreens.PathOf(flat)], (writer, _) =>
                    writer.WriteLine($"{VolumeScreens.PathOf(flat)} shares nothing with a snapshot"));
                return ExitCode.Ok;
            })
        { path };
    }
}
