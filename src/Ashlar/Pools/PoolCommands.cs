using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar pool</c>.</summary>
static class PoolCommands
{
    public static Noun Create() =>
        new("pool", "Pools, which volumes take their space from", ["ashlar pool list", "ashlar pool show main"])
        {
            CreateList(),
            CreateShow(),
        };

    static Verb CreateList()
    {
        var verb = new Verb("list", "List the pools", ["ashlar pool list", "ashlar pool ls -o json"], async (invocation, cancellationToken) =>
        {
            using var client = ApiClient.For(invocation);
            var list = await client.ListPoolsAsync(cancellationToken);
            invocation.Write(list, ApiJson.Strict.PoolList, list.Items.Select(pool => pool.Name), (writer, style) =>
            {
                var table = new Table(
                    "NAME",
                    Column.Number("CAPACITY"),
                    Column.Number("USED"),
                    Column.Number("FREE"),
                    Column.Number("PROVISIONED"),
                    Column.Number("VOLUMES"));
                foreach (var pool in list.Items)
                {
                    table.Row(
                        pool.Name,
                        ByteSize.Format(pool.CapacityBytes),
                        ByteSize.Format(pool.AllocatedBytes),
                        ByteSize.Format(pool.FreeBytes),
                        ByteSize.Format(pool.ProvisionedBytes),
                        pool.VolumeCount.ToString(CultureInfo.InvariantCulture));
                }
                table.WriteTo(writer, style);
            });
            return ExitCode.Ok;
        });
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateShow()
    {
        var name = PathArgument.Pool(isRequired: true);
        return new Verb("show", "Show a pool", ["ashlar pool show main", "ashlar pool show main -o json"], async (invocation, cancellationToken) =>
        {
            using var client = ApiClient.For(invocation);
            var pool = await client.GetPoolAsync(invocation.Get(name), cancellationToken);
            invocation.Write(pool, ApiJson.Strict.Pool, [pool.Name], (writer, style) => WriteOne(pool, writer, style));
            return ExitCode.Ok;
        })
        { name };
    }

    static void WriteOne(Pool pool, TextWriter writer, Style style)
    {
        foreach (var warning in pool.Warnings) writer.WriteLine($"{style.Warning("!")} {warning}");
        if (pool.Warnings.Count > 0) writer.WriteLine();
        var facts = new FactSheet()
            .Add("Name", pool.Name)
            .Add("Health", pool.Health)
            .Add("Capacity", ByteSize.Format(pool.CapacityBytes))
            .Add("Used", $"{ByteSize.Format(pool.AllocatedBytes)} ({Percent(pool.AllocatedBytes, pool.CapacityBytes)})")
            .Add("Free", PoolFacts.Free(pool))
            .Add("Provisioned", $"{ByteSize.Format(pool.ProvisionedBytes)} "
                + $"({Percent(pool.ProvisionedBytes, pool.CapacityBytes)} of the capacity)")
            .Add("Volumes", pool.VolumeCount.ToString(CultureInfo.InvariantCulture));
        foreach (var (label, value) in PoolFacts.Running(pool)) facts.Add(label, value);
        facts.WriteTo(writer, style);
    }

    public static string Percent(long part, long whole) =>
        whole == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:F1} %");
}
