namespace Ashlar.Interop.Tests.Conformance;

public sealed class IscsiTestReportTests
{
    const string Output = """
        Suite: Read10
          Test: Simple ...passed
          Test: BeyondEol ...    [FAILED] READ10 should have failed
        FAILED
            1. test_read10_beyond_eol.c:38  - CU_ASSERT_EQUAL(_r,0)
        Suite: Sanitize
          Test: Simple ...    [SKIPPED] SANITIZE is not implemented.
            [SKIPPED] SANITIZE is not implemented.
        passed
          Test: Control-D_SENSE ...    [WARNING] undefined.
        passed
        Suite: MultipathIO
          Test: Reset ...passed    [SKIPPED] PERSISTENT RESERVE IN is not implemented.

        Run Summary:    Type  Total    Ran Passed Failed Inactive
        """;

    [Fact]
    public void A_skipped_test_does_not_count_as_passed() => Assert.Equal(
        [
            ("Read10.Simple", IscsiTestOutcome.Passed),
            ("Read10.BeyondEol", IscsiTestOutcome.Failed),
            ("Sanitize.Simple", IscsiTestOutcome.Skipped),
            ("Sanitize.Control-D_SENSE", IscsiTestOutcome.Passed),
            ("MultipathIO.Reset", IscsiTestOutcome.Passed),
        ],
        IscsiTestReport.Parse(Output).Select(result => (result.Name, result.Outcome)));

    [Fact]
    public void A_test_that_never_ended_has_no_result() =>
        Assert.Empty(IscsiTestReport.Parse("Suite: iSCSIdatasn\n  Test: iSCSIDataSnInvalid ..."));
}
