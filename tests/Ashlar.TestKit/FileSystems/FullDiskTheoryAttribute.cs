using Xunit;

namespace Ashlar.TestKit;

/// <summary>A theory that fills a real file system. Where none can be mounted it is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FullDiskTheoryAttribute : TheoryAttribute
{
    public FullDiskTheoryAttribute()
    {
        if (MemoryVolume.WhyNot is { } reason)
            Skip = TestGroups.NotRun(TestGroups.FullDisks, $"a disk that is really full needs root and tmpfs ({reason})");
    }
}
