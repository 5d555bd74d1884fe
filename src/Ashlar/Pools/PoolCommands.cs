using System.CommandLine;
using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar pool</c>.</summary>
static class PoolCommands
{
    static readonly IReadOnlyList<ListColumn<Pool>> Columns =
    [
        new("name", ColumnKind.Text, pool => pool.Name, Rank: 0),
        new("capacity", ColumnKind.Size, pool => pool.CapacityBytes, Rank: 1),
        new("used", ColumnKind.Size, pool => pool.AllocatedBytes, Rank: 2),
        new("free", ColumnKind.Size, pool => pool.FreeBytes, Rank: 3),
        new("use%", ColumnKind.Percent, pool => Percentage.Of(pool.AllocatedBytes, pool.CapacityBytes), Rank: 6),
        new("provisioned", ColumnKind.Size, pool => pool.ProvisionedBytes, Rank: 4),
        new("volumes", ColumnKind.Count, pool => (long)pool.VolumeCount, Rank: 5),
        new("health", ColumnKind.Text, PoolFacts.Health, Rank: 7),
        new("state", ColumnKind.Text, pool => pool.State, Rank: null),
        new("raid", ColumnKind.Text, pool => PoolFacts.Raid(pool) ?? "", Rank: null),
        new("devices", ColumnKind.Text, pool => string.Join(", ", pool.Devices.Select(device => device.Path)), Rank: null),
    ];

    public static Noun Create(Terminal terminal) => new(
        "pool",
        "Pools, which volumes take their space from: on files, disks, several of them, RAID sets",
        [
            "ashlar pool create fast --device fast.pool --size 10GiB",
            "ashlar volume create fast/vm1 --size 1GiB",
            "ashlar pool list",
            "ashlar pool add-device fast --device more.pool --size 10GiB",
            "ashlar pool show fast",
        ])
    {
        CreateList(terminal),
        CreateShow(),
        PoolCreateCommand.Create(terminal),
        CreateResize(terminal),
        PoolSetCommand.Create(terminal),
        PoolDeviceCommands.CreateAdd(terminal),
        PoolDeviceCommands.CreateReplace(),
        PoolDeviceCommands.CreateRemove(terminal),
        PoolCheckCommands.CreateVerify(),
        PoolCheckCommands.CreateScrub(terminal),
        PoolRenameCommand.Create(),
        PoolDeviceCommands.CreateExport(),
        PoolDeviceCommands.CreateImport(),
        PoolDeleteCommand.Create(),
    };

    static Verb CreateList(Terminal terminal)
    {
        var options = new ListOptions<Pool>(terminal, Columns);
        var watch = new WatchOptions(terminal);
        var verb = new Verb(
            "list",
            "List the pools",
            ["ashlar pool list", "ashlar pool ls -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                return await watch.RunAsync(
                    invocation,
                    client.ListPoolsAsync,
                    list =>
                    {
                        var pools = options.Select(invocation, list.Items);
                        invocation.Write(list with { Items = pools }, ApiJson.Strict.PoolList, pools.Select(pool => pool.Name), (_, _) =>
                            options.WriteTable(invocation, pools));
                        return ExitCode.Ok;
                    },
                    cancellationToken);
            });
        foreach (var option in options.All.Concat(watch.All)) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateShow()
    {
        var name = PathArgument.Pool(isRequired: true);
        return new Verb(
            "show",
            "Show a pool",
            ["ashlar pool show main", "ashlar pool show main -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var pool = await client.GetPoolAsync(invocation.Get(name), cancellationToken);
                invocation.Write(pool, ApiJson.Strict.Pool, [pool.Name], (_, _) => WriteOne(invocation, pool));
                return ExitCode.Ok;
            })
        { name };
    }

    static Verb CreateResize(Terminal terminal)
    {
        var name = PathArgument.Pool(isRequired: true);
        var size = Setting.Create<long?>(
            terminal, "--size", "SIZE", "What the pool is to hold: 20GiB, 1TB, or bytes; max for all that its devices have room for",
            static text => text == "max" ? null : ByteSize.Parse(text), null);
        size.DefaultValueFactory = null;
        size.Required = true;
        return new Verb(
            "resize",
            "Make a pool larger, also while it is in use; no pool shrinks",
            ["ashlar pool resize main --size 20GiB", "ashlar pool resize safe --size max"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var capacity = invocation.Get(size);
                var request = new ChangePool { CapacityBytes = capacity, UseAllSpace = capacity is null };
                var pool = await client.ChangePoolAsync(invocation.Get(name), request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} holds {ByteSize.Format(pool.CapacityBytes)} now");
                return ExitCode.Ok;
            })
        { name, size };
    }

    static void WriteOne(Invocation invocation, Pool pool)
    {
        var (terminal, style) = (invocation.Terminal, invocation.Terminal.OutStyle);
        foreach (var warning in pool.Warnings) terminal.Out.WriteLine($"{style.Warning("!")} {invocation.CommandLines.InText(warning)}");
        if (pool.Warnings.Count > 0) terminal.Out.WriteLine();
        var facts = new FactSheet().Add("Name", pool.Name).Add("Health", PoolFacts.Health(pool));
        if (PoolFacts.Raid(pool) is { } raid) facts.Add("RAID", raid);
        foreach (var (label, value) in PoolFacts.Devices(pool)) facts.Add(label, value);
        if (pool.State != PoolStates.Available)
        {
            facts.WriteTo(terminal.Out, style, terminal.Width);
            return;
        }
        facts
            .Add("Capacity", ByteSize.Format(pool.CapacityBytes))
            .Add("Used", $"{ByteSize.Format(pool.AllocatedBytes)} ({Percentage.Format(pool.AllocatedBytes, pool.CapacityBytes)})")
            .Add("Free", PoolFacts.Free(pool))
            .Add("File system", PoolFacts.SpaceBelow(pool))
            .Add("Provisioned", $"{ByteSize.Format(pool.ProvisionedBytes)} "
                + $"({Percentage.Format(pool.ProvisionedBytes, pool.CapacityBytes)} of the capacity)")
            .Add("Full in", PoolFacts.FullIn(pool))
            .Add("Warnings", $"at {pool.SoftThresholdPercent} % and {pool.HardThresholdPercent} % used")
            .Add("Volumes", pool.VolumeCount.ToString(CultureInfo.InvariantCulture))
            .Add("Trash", PoolFacts.Trash(pool));
        foreach (var (label, value) in PoolFacts.Running(pool)) facts.Add(label, value);
        facts.WriteTo(terminal.Out, style, terminal.Width);
    }
}
