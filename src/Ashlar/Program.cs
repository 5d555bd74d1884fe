using System.Runtime.InteropServices;
using Ashlar.CommandLine;

// Before anything is opened that could get their numbers.
StandardDescriptors.Secure();
using var stop = new StopSignals(TimeProvider.System);
var terminal = Terminal.OfProcess();

void HangUp(PosixSignalContext context)
{
    if (terminal.HangUp.Handler is not { } handle)
    {
        stop.Handle(context);
        return;
    }
    context.Cancel = true;
    handle();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, stop.Handle);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, stop.Handle);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, HangUp);

return (int)await AshlarProgram.RunAsync(args, terminal, stop.Token);
