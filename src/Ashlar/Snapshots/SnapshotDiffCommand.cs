using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot diff</c>.</summary>
static class SnapshotDiffCommand
{
    public static Verb Create()
    {
        var older = SnapshotArguments.One("OLDER", "The older snapshot");
        var younger = SnapshotArguments.One("YOUNGER", "The younger snapshot of the same volume");
        return new Verb(
            "diff",
            "Say which ranges of a volume two snapshots do not have in common",
            ["ashlar snapshot diff vm1@monday vm1@tuesday", "ashlar snapshot diff vm1@monday vm1@tuesday -o json"],
            async (invocation, cancellationToken) =>
            {
                var (from, to) = (invocation.Get(older), invocation.Get(younger));
                if (from.Volume != to.Volume) throw Usage.Error($"{from} and {to} are not of one volume");
                using var client = ApiClient.For(invocation);
                var changes = await client.CompareSnapshotsAsync(to, from.Name, cancellationToken);
                invocation.Write(changes, ApiJson.Strict.SnapshotChanges, changes.Items.Select(Range), (writer, style) =>
                {
                    if (changes.Items.Count > 0)
                    {
                        var table = new Table(Column.Number("OFFSET", 0), Column.Number("LENGTH", 0), "KIND");
                        foreach (var each in changes.Items)
                        {
                            table.Row(
                                each.OffsetBytes.ToString(CultureInfo.InvariantCulture),
                                each.LengthBytes.ToString(CultureInfo.InvariantCulture),
                                each.IsZero ? "zeros" : "data");
                        }
                        table.WriteTo(writer, style, invocation.Terminal.Width);
                    }
                    var (data, zeros) = (Sum(changes, isZero: false), Sum(changes, isZero: true));
                    var count = changes.Items.Count == 1 ? "1 range" : $"{changes.Items.Count} ranges";
                    invocation.Tell($"{count}: {ByteSize.Format(data)} of data, {ByteSize.Format(zeros)} of zeros");
                });
                return ExitCode.Ok;
            })
        { older, younger };
    }

    static long Sum(SnapshotChanges changes, bool isZero) =>
        changes.Items.Where(each => each.IsZero == isZero).Sum(each => each.LengthBytes);

    static string Range(SnapshotChange change) => string.Create(CultureInfo.InvariantCulture, $"{change.OffsetBytes}+{change.LengthBytes}");
}
