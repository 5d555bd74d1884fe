using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume set</c>.</summary>
static class VolumeSetCommand
{
    const string NothingHint = "add --label, --unlabel, --description, --trash or --snapshots";

    public static Verb Create(Terminal terminal)
    {
        var paths = PathArgument.Volumes();
        var described = new VolumeDescriptionOptions(terminal);
        var unlabel = new Option<string[]>("--unlabel")
        {
            Description = "Take this label away; may be given several times",
            HelpName = "KEY",
        };
        var snapshots = Setting.Create<SnapshotSchedule?>(
            terminal,
            "--snapshots",
            "SCHEDULE",
            "Snapshots taken by themselves, and how many stay: hourly=N,daily=N,weekly=N,monthly=N, or none",
            SnapshotScheduleText.Parse,
            null);
        return new Verb(
            "set",
            "Set labels, description, time in the trash and schedule of snapshots of volumes",
            [
                "ashlar volume set vm1 --label env=prod --label tier=1",
                "ashlar volume set vm1 vm2 --unlabel tier --trash 7d",
                "ashlar volume set vm1 --description mail",
                "ashlar volume set vm1 --snapshots hourly=24,daily=7,weekly=4",
            ],
            async (invocation, cancellationToken) =>
            {
                var request = Read(invocation, described, invocation.Get(unlabel) ?? []) with
                {
                    SnapshotSchedule = invocation.Get(snapshots),
                };
                if (request == new ChangeVolume()) throw Usage.Error("nothing to change", NothingHint);
                using var client = ApiClient.For(invocation);
                var (attempts, changed) = (new Attempts(invocation), new List<Volume>());
                foreach (var path in invocation.Get(paths))
                {
                    await attempts.TryAsync(async () =>
                        changed.Add(await client.ChangeVolumeAsync(path, request, null, cancellationToken)));
                }
                VolumeScreens.Write(invocation, changed, invocation.Get(paths).Length == 1, isChange: true, (writer, _) =>
                {
                    foreach (var volume in changed) writer.WriteLine(ScreenText.Of($"{VolumeScreens.PathOf(volume)}: {Describe(volume)}"));
                });
                return attempts.ExitCode;
            })
        { paths, described.Label, unlabel, described.Description, described.Trash, snapshots };
    }

    static ChangeVolume Read(Invocation invocation, VolumeDescriptionOptions described, string[] unlabel)
    {
        var labels = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (described.Labels(invocation) is { } set)
            foreach (var (key, value) in set) labels[key] = value;
        foreach (var key in unlabel)
            if (!labels.TryAdd(key, null)) throw Usage.Error($"--unlabel: '{key}' is set or taken away by another option");
        return new ChangeVolume
        {
            Labels = labels.Count == 0 ? null : labels,
            Description = invocation.Get(described.Description),
            TrashSeconds = described.TrashSeconds(invocation),
        };
    }

    static string Describe(Volume volume)
    {
        List<string> all = [VolumeDescriptionOptions.Format(volume.Labels) is { } labels ? $"labels {labels}" : "no labels"];
        if (volume.Description is { } description) all.Add($"'{description}'");
        if (volume.TrashSeconds is { } seconds)
            all.Add(seconds == 0 ? "deleted for good at once" : $"in the trash for {Duration.Format(TimeSpan.FromSeconds(seconds))}");
        if (volume.SnapshotSchedule is { } schedule) all.Add($"snapshots {SnapshotScheduleText.Format(schedule)}");
        return string.Join("; ", all);
    }
}
