using Xunit;

namespace Ashlar.TestKit;

/// <summary>A fact that the kernel of a <see cref="LinuxGuest"/> shows. Where none has been built it is skipped, and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GuestFactAttribute : FactAttribute
{
    public GuestFactAttribute()
    {
        if (LinuxGuest.WhyNot is { } reason) Skip = TestGroups.NotRun(TestGroups.Guests, reason);
    }
}
