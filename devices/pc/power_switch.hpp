// What a PC's registers can do to the whole machine.
#pragma once

namespace ax::dev {

/// Both note the wish and return; the access that made it still completes.
class PowerSwitch {
public:
    virtual void reset() = 0;
    virtual void power_off() = 0;

protected:
    ~PowerSwitch() = default;
};

}  // namespace ax::dev
