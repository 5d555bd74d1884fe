using Xunit;

namespace Ashlar.TestKit;

/// <summary>A theory that fills a file system in a file. Where there can be none it is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LoopVolumeTheoryAttribute : TheoryAttribute
{
    static readonly Dictionary<string, string?> Reasons = [];

    public LoopVolumeTheoryAttribute(string type, int mebibytes)
    {
        Type = type;
        Mebibytes = mebibytes;
        lock (Reasons)
        {
            if (!Reasons.TryGetValue(type, out var reason))
                Reasons[type] = reason = LoopVolume.WhyNotOf(type, mebibytes, static _ => { });
            var group = type == "xfs" ? TestGroups.Xfs : TestGroups.FullDisks;
            if (reason is not null) Skip = TestGroups.NotRun(group, $"a full {type} needs root, loop devices and mkfs.{type} ({reason})");
        }
    }

    /// <summary>Of the file system.</summary>
    public string Type { get; }

    /// <summary>Its size.</summary>
    public int Mebibytes { get; }
}
