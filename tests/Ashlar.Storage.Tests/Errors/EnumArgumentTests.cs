using Ashlar.TestKit;

namespace Ashlar.Storage.Tests;

public sealed class EnumArgumentTests
{
    enum Sparse
    {
        First = -7,
        Second = 0,
        Third = 1000,
    }

    [Fact]
    public void A_value_without_a_name_is_refused_by_the_name_of_the_argument()
    {
        foreach (var known in new[] { Sparse.First, Sparse.Second, Sparse.Third }) EnumArgument.RequireDefined(known);
        foreach (var unknown in new[] { -8, -6, 1, 999, 1001, int.MinValue })
        {
            var sparse = (Sparse)unknown;
            Assert.Equal("sparse", Assert.Throws<ArgumentOutOfRangeException>(() => EnumArgument.RequireDefined(sparse)).ParamName);
        }
    }

    [Fact]
    public void The_question_makes_no_garbage_not_even_after_a_collection()
    {
        EnumArgument.RequireDefined(Sparse.Third);
        Assert.Equal(0, AllocationMeter.LeastBytes(() =>
        {
            GC.Collect();
            EnumArgument.RequireDefined(Sparse.Third);
        }));
    }
}
