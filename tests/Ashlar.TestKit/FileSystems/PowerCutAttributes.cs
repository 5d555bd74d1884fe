using Xunit;

namespace Ashlar.TestKit;

/// <summary>A theory that cuts the power of a real file system. Where that is not possible it is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PowerCutTheoryAttribute : TheoryAttribute
{
    public PowerCutTheoryAttribute() => Skip = PowerCuts.WhyNotRun([]);
}

/// <summary>A fact of the same kind; it may need programs and libraries as well.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PowerCutFactAttribute : FactAttribute
{
    public PowerCutFactAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = PowerCuts.WhyNotRun(tools);
    }

    /// <summary>Names of the programs and libraries.</summary>
    public IReadOnlyList<string> Tools { get; }
}

static class PowerCuts
{
    public static string? WhyNotRun(IReadOnlyList<string> tools) => (LoopVolume.WhyNot ?? ExternalTool.WhyNot(tools)) is { } reason
        ? TestGroups.NotRun(TestGroups.PowerCuts, $"power cuts of a real file system need root, loop devices and ext4 ({reason})")
        : null;
}
