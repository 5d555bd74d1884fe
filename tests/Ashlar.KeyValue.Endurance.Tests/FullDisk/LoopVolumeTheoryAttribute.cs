namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>A theory that fills a file system in a file. Where there can be none it is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class LoopVolumeTheoryAttribute : TheoryAttribute
{
    static readonly Dictionary<string, string?> Reasons = [];

    public LoopVolumeTheoryAttribute(string type, int mebibytes)
    {
        Type = type;
        lock (Reasons)
        {
            if (!Reasons.TryGetValue(type, out var reason))
                Reasons[type] = reason = LoopVolume.WhyNotOf(type, mebibytes, static _ => { });
            if (reason is not null) Skip = $"not run: a full {type} needs root, loop devices and mkfs.{type} ({reason})";
        }
    }

    /// <summary>Of the file system.</summary>
    public string Type { get; }
}
