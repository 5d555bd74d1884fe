using Xunit;

namespace Ashlar.TestKit;

/// <summary>
/// A fact about a program that is compiled ahead of time. Where <see cref="NativeLinker"/> links none it is skipped, and says why.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeFactAttribute : FactAttribute
{
    public NativeFactAttribute()
    {
        if (NativeLinker.WhyNot is { } reason) Skip = TestGroups.NotRun(TestGroups.Native, reason);
    }
}
