using Xunit;

namespace Ashlar.TestKit;

/// <summary>A fact that mounts volumes, and needs programs besides. Where that is not possible it is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NbdMountFactAttribute : FactAttribute
{
    public NbdMountFactAttribute(params string[] tools)
    {
        Tools = tools;
        if (ExternalTool.WhyNot(["nbdfuse", "mkfs.ext4", .. tools]) is { } missing)
            Skip = TestGroups.NotRun(TestGroups.Interop, missing);
        else if ((LoopVolume.WhyNot ?? NbdMount.WhyNoFuse) is { } reason)
            Skip = TestGroups.NotRun(TestGroups.Mounts, $"mounting a volume needs root, FUSE, loop devices and ext4 ({reason})");
    }

    /// <summary>Names of the programs.</summary>
    public IReadOnlyList<string> Tools { get; }
}
