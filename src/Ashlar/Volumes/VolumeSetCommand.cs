using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume set</c>.</summary>
static class VolumeSetCommand
{
    public static Verb Create(Terminal terminal)
    {
        var paths = PathArgument.Volumes();
        var described = new VolumeDescriptionOptions(terminal);
        var unlabel = new Option<string[]>("--unlabel")
        {
            Description = "Take this label away; may be given several times",
            HelpName = "KEY",
        };
        return new Verb(
            "set",
            "Set labels, description and time in the trash of volumes",
            [
                "ashlar volume set vm1 --label env=prod --label tier=1",
                "ashlar volume set vm1 vm2 --unlabel tier --trash 7d",
                "ashlar volume set vm1 --description mail",
            ],
            async (invocation, cancellationToken) =>
            {
                var request = Read(invocation, described, invocation.Get(unlabel) ?? []);
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
        { paths, described.Label, unlabel, described.Description, described.Trash };
    }

    static ChangeVolume Read(Invocation invocation, VolumeDescriptionOptions described, string[] unlabel)
    {
        var labels = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (described.Labels(invocation) is { } set)
            foreach (var (key, value) in set) labels[key] = value;
        foreach (var key in unlabel)
            if (!labels.TryAdd(key, null)) throw Usage.Error($"--unlabel: '{key}' is set or taken away by another option");
        var request = new ChangeVolume
        {
            Labels = labels.Count == 0 ? null : labels,
            Description = invocation.Get(described.Description),
            TrashSeconds = described.TrashSeconds(invocation),
        };
        return request is { Labels: null, Description: null, TrashSeconds: null }
            ? throw Usage.Error("nothing to change", "add --label, --unlabel, --description or --trash")
            : request;
    }

    static string Describe(Volume volume)
    {
        List<string> all = [VolumeDescriptionOptions.Format(volume.Labels) is { } labels ? $"labels {labels}" : "no labels"];
        if (volume.Description is { } description) all.Add($"'{description}'");
        if (volume.TrashSeconds is { } seconds)
            all.Add(seconds == 0 ? "deleted for good at once" : $"in the trash for {Duration.Format(TimeSpan.FromSeconds(seconds))}");
        return string.Join("; ", all);
    }
}
