using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume</c>.</summary>
static class VolumeCommands
{
    public static Noun Create(Terminal terminal)
    {
        var noun = new Noun("volume", "Thin volumes: create, list, show, resize, limit, delete",
        [
            "ashlar volume create vm1 --size 10GiB",
            "ashlar volume list",
            "ashlar volume resize vm1 --size 20GiB",
            "ashlar volume limit vm1 --limit-iops 500",
            "ashlar volume delete vm1 --yes",
        ])
        { CreateCreate(terminal), CreateList(), CreateShow(), CreateResize(terminal), CreateLimit(terminal), CreateDelete() };
        noun.Aliases.Add("vol");
        return noun;
    }

    static Verb CreateCreate(Terminal terminal)
    {
        var path = PathArgument.Volume();
        var size = Size(terminal, "Size that clients see: 10GiB, 500GB, or bytes");
        var blockSize = Setting.Create(terminal, "--block-size", "BYTES", "512 or 4096 [default: 512]", ParseBlockSize, 512);
        var thick = new Option<bool>("--thick") { Description = "Take all space at once, so that writes never run out of it" };
        var limits = new VolumeLimitOptions(terminal);
        return new Verb(
            "create",
            "Create a volume; it takes space only as it is written",
            [
                "ashlar volume create vm1 --size 10GiB",
                "ashlar volume create main/db --size 500GB --block-size 4096",
                "ashlar volume create vm2 --size 1TiB -o json",
                "ashlar volume create vm3 --size 10GiB --limit-iops 500 --limit-bandwidth 100MiB",
            ],
            async (invocation, cancellationToken) =>
            {
                var (pool, name) = invocation.Get(path);
                using var client = ApiClient.For(invocation);
                var request = new CreateVolume
                {
                    Name = name,
                    SizeBytes = invocation.Get(size),
                    BlockSizeBytes = invocation.Get(blockSize),
                    IsThick = invocation.Get(thick),
                    Limits = limits.Read(invocation),
                };
                var volume = await client.CreateVolumeAsync(pool, request, cancellationToken);
                VolumeScreens.WriteCreated(invocation, volume);
                return ExitCode.Ok;
            })
        { path, size, blockSize, thick, limits.Iops, limits.Bandwidth };
    }

    static Verb CreateList()
    {
        var pool = PathArgument.Pool(isRequired: false);
        var verb = new Verb(
            "list",
            "List the volumes of a pool",
            ["ashlar volume list", "ashlar volume list main -o json", "ashlar volume ls -o name"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                VolumeScreens.WriteList(invocation, await client.ListVolumesAsync(invocation.Get(pool), cancellationToken));
                return ExitCode.Ok;
            })
        { pool };
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateShow()
    {
        var path = PathArgument.Volume();
        return new Verb(
            "show",
            "Show a volume and how to connect to it",
            ["ashlar volume show vm1", "ashlar volume show vm1 -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                VolumeScreens.WriteOne(invocation, await client.GetVolumeAsync(invocation.Get(path), cancellationToken));
                return ExitCode.Ok;
            })
        { path };
    }

    static Verb CreateResize(Terminal terminal)
    {
        var path = PathArgument.Volume();
        var size = Size(terminal, "The new size");
        var allowShrink = new Option<bool>("--allow-shrink")
        {
            Description = "Let the volume become smaller; what lies beyond its new end is lost",
        };
        var force = new Option<bool>("--force") { Description = "Let it become smaller also while clients are connected" };
        return new Verb(
            "resize",
            "Change the size of a volume, also while it is in use",
            ["ashlar volume resize vm1 --size 20GiB", "ashlar volume resize vm1 --size 5GiB --allow-shrink"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var current = await client.GetVolumeAsync(invocation.Get(path), cancellationToken);
                if (invocation.Get(size) < current.SizeBytes)
                {
                    if (!invocation.Get(allowShrink)) throw WouldShrink(current, invocation.Get(size));
                    if (current.Clients.Total > 0 && !invocation.Get(force)) throw InUse(current);
                }
                var request = new ChangeVolume
                {
                    SizeBytes = invocation.Get(size),
                    AllowShrink = invocation.Get(allowShrink),
                    Force = invocation.Get(force),
                };
                var volume = await client.ChangeVolumeAsync(invocation.Get(path), request, cancellationToken);
                invocation.Write(volume, ApiJson.Strict.Volume, [VolumeScreens.PathOf(volume)], (writer, _) =>
                    writer.WriteLine($"{VolumeScreens.PathOf(volume)} has {ByteSize.Format(volume.SizeBytes)} now"));
                return ExitCode.Ok;
            })
        { path, size, allowShrink, force };
    }

    static Verb CreateLimit(Terminal terminal)
    {
        var path = PathArgument.Volume();
        var limits = new VolumeLimitOptions(terminal);
        return new Verb(
            "limit",
            "Limit what all clients of a volume together may ask of it; takes effect at once",
            [
                "ashlar volume limit vm1 --limit-iops 500 --limit-bandwidth 100MiB",
                "ashlar volume limit vm1 --limit-iops none",
            ],
            async (invocation, cancellationToken) =>
            {
                if (limits.Read(invocation) is not { } asked)
                    throw Usage.Error("nothing to change", "add --limit-iops or --limit-bandwidth, with a number or none");
                using var client = ApiClient.For(invocation);
                var volume = await client.ChangeVolumeAsync(invocation.Get(path), new() { Limits = asked }, cancellationToken);
                invocation.Write(volume, ApiJson.Strict.Volume, [VolumeScreens.PathOf(volume)], (writer, _) =>
                    writer.WriteLine($"limits of {VolumeScreens.PathOf(volume)}: {VolumeLimitOptions.Format(volume.Limits)}"));
                return ExitCode.Ok;
            })
        { path, limits.Iops, limits.Bandwidth };
    }

    static Verb CreateDelete()
    {
        var path = PathArgument.Volume();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var force = new Option<bool>("--force")
        {
            Description = "Delete also while clients are connected; they are cut off",
        };
        var verb = new Verb(
            "delete",
            "Delete a volume and everything on it",
            ["ashlar volume delete vm1", "ashlar volume rm vm1 --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                // Looked up first, so that nobody is asked about a volume that is not there.
                var volume = await client.GetVolumeAsync(invocation.Get(path), cancellationToken);
                var name = VolumeScreens.PathOf(volume);
                if (volume.Clients.Total > 0 && !invocation.Get(force)) throw InUse(volume);
                await invocation.ConfirmAsync(
                    $"Delete volume {name} and the {ByteSize.Format(volume.AllocatedBytes)} on it?", invocation.Get(yes), cancellationToken);
                await client.DeleteVolumeAsync(invocation.Get(path), invocation.Get(force), cancellationToken);
                invocation.Write(volume, ApiJson.Strict.Volume, [name], (writer, _) => writer.WriteLine($"{name} is deleted"));
                return ExitCode.Ok;
            })
        { path, yes, force };
        verb.Aliases.Add("rm");
        return verb;
    }

    // The server refuses both, too; here it can be said as people write it, and before anybody is asked a question.
    static CommandException InUse(Volume volume) => new(
        ExitCode.Conflict,
        ProblemTypes.InUse,
        $"volume {VolumeScreens.PathOf(volume)} is in use: {VolumeScreens.Clients(volume.Clients)}",
        Refusals.HintFor(ProblemTypes.InUse));

    static CommandException WouldShrink(Volume volume, long sizeBytes) => new(
        ExitCode.Conflict,
        ProblemTypes.WouldShrink,
        $"volume {VolumeScreens.PathOf(volume)} has {ByteSize.Format(volume.SizeBytes)}, which is more than {ByteSize.Format(sizeBytes)}",
        Refusals.HintFor(ProblemTypes.WouldShrink));

    static Option<long> Size(Terminal terminal, string description)
    {
        var option = Setting.Create(terminal, "--size", "SIZE", description, ByteSize.Parse, 0L);
        option.DefaultValueFactory = null;
        option.Required = true;
        return option;
    }

    static int ParseBlockSize(string text) => ByteSize.Parse(text) switch
    {
        512 => 512,
        4096 => 4096,
        _ => throw new FormatException($"'{text}' is not offered: expected 512 or 4096"),
    };
}
